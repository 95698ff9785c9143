#!lua flags=allow-oom
-- ARGV job, fence of the listing unit, total
-- Returns counted | already | lost

local id, fence = ARGV[1], ARGV[2]
local job, lease = hold(id, LIST, fence)
if not lease then return not_held(id, fence) end
local total = tonumber(ARGV[3])
if total < get(job, 'total') then return misuse('a manifest only grows') end
if total > 2 ^ 31 then return misuse('too many documents for one job') end

drop(job, lease)
if not is_ending(job) then
  put(job, 'total', total)
  put(job, 'sealed', 1)
  emit_job(job, 'Документов в задаче: ' .. text(total))
end
place(job)
save(job)
return answer(job, lease, 'counted')
