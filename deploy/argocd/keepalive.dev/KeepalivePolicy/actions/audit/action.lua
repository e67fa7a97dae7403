obj.spec.mode = "Audit"
return obj
