(component (instance $i)
  (export "portcullis:provider/provider@0.1.0" (instance $i))
  (export "portcullis:provider/actions@0.1.0" (instance $i)))
