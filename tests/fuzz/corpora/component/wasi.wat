(component
  (import "wasi:io/poll@0.2.0" (instance))
  (import "wasi:cli/stdout@0.2.6" (instance)))
