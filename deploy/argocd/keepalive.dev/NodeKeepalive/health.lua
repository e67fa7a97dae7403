-- A report of what the kernel of one node holds, written by the agent there. It has no conditions: whether that is enough
-- is said of each policy.
local status = obj.status
if status == nil or status.agentVersion == nil then
  return { status = "Progressing", message = "Waiting for the agent of this node to report" }
end
local message = "Reported"
if status.pods ~= nil then
  message = status.pods.summary .. " pods that policies select are live"
end
return { status = "Healthy", message = message }
