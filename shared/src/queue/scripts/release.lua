#!lua flags=allow-oom
-- ARGV job, unit, fence
-- Returns counted | already | lost

local id, unit, fence = ARGV[1], ARGV[2], ARGV[3]
local job, lease = hold(id, unit, fence)
if not lease then return not_held(id, fence) end

drop(job, lease)
recharge(job, lease.charged, 0)
tally('released', 1)
if unit == FINISH or not is_ending(job) then
  requeue(job, lease, 0)
elseif unit ~= LIST then
  count_cancelled(job, lease)
end
place(job)
save(job)
return answer(job, lease, 'counted')
