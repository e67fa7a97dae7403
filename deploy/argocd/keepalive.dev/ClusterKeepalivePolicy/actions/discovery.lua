local actions = {}
if obj.spec.mode == "Audit" then
  actions["enforce"] = { ["iconClass"] = "fa fa-fw fa-play", ["displayName"] = "Enforce" }
else
  actions["audit"] = { ["iconClass"] = "fa fa-fw fa-pause", ["displayName"] = "Audit" }
end
return actions
