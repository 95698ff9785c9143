#!lua flags=allow-oom
-- ARGV job, fence of the listing unit, reason for people
-- Returns counted | already | lost

local id, fence = ARGV[1], ARGV[2]
local job, lease = hold(id, LIST, fence)
if not lease then return not_held(id, fence) end

drop(job, lease)
if not is_ending(job) then stop_unlisted(job, ARGV[3]) end
place(job)
save(job)
return answer(job, lease, 'counted')
