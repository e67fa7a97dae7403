-- The conditions follow kstatus: Reconciling is under way and ends by itself, with Stalled a person has to act, and Ready
-- is that the policy is in force. Covered is told and is not health: a pod that is not covered must not hold up a sync.
local health = { status = "Progressing", message = "Waiting for the controller of keepalive-operator" }
local status = obj.status
if status == nil or status.conditions == nil then
  return health
end

local said = {}
for _, condition in ipairs(status.conditions) do
  said[condition.type] = condition
end
local ready, covered, stalled, reconciling = said.Ready, said.Covered, said.Stalled, said.Reconciling

-- The operator is gone: nobody will look at a newer generation either.
if ready ~= nil and ready.status == "Unknown" then
  return { status = "Degraded", message = ready.message }
end
if status.observedGeneration ~= obj.metadata.generation then
  health.message = "The status speaks of an earlier generation"
  return health
end
if stalled ~= nil and stalled.status == "True" then
  return { status = "Degraded", message = stalled.message }
end
if reconciling ~= nil and reconciling.status == "True" then
  health.message = reconciling.message
  return health
end
if ready == nil or ready.status ~= "True" then
  return health
end

-- Only what this policy asks for itself is Suspended: Argo CD ends no sync wave with something that is, and the switch of
-- the cluster (SwitchedOff) must not keep everybody from deploying.
health.status = obj.spec.mode == "Audit" and "Suspended" or "Healthy"
health.message = ready.message
if covered ~= nil and covered.status ~= "True" then
  health.message = ready.message .. ". " .. covered.message
end
return health
