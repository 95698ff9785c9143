#!lua flags=allow-oom
-- ARGV job, fence of the finishing unit
-- Returns counted | already | lost

local id, fence = ARGV[1], ARGV[2]
local job, lease = hold(id, FINISH, fence)
if not lease then return not_held(id, fence) end

drop(job, lease)
finalise(job, job.fields.verdict)
return answer(job, lease, 'counted')
