(component (component (component (component (core module (memory 1) (memory 2))))))
