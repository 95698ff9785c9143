#!lua flags=allow-oom
-- ARGV job, unit, fence, outcome, measured cost ms, fields of the event as a JSON object,
--      document as a JSON object
-- Returns counted | already | lost

local id, unit, fence, outcome = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if not contains(OUTCOMES, outcome) then return misuse('no such outcome') end
local job, lease = hold(id, unit, fence)
if not lease then return not_held(id, fence) end

drop(job, lease)
charge(job, lease, tonumber(ARGV[5]))
count(job, lease, outcome, ARGV[6], ARGV[7])
if outcome == 'failed' then enforce_budget(job) end
place(job)
save(job)
return answer(job, lease, 'counted')
