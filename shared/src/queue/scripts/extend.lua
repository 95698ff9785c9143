#!lua flags=allow-oom
-- ARGV job, fence of the listing unit, total, position
-- Returns held | cancelled | lost

local job, lease = hold(ARGV[1], LIST, ARGV[2])
if not lease then
  tally('lost', 1)
  return 'lost'
end
if is_ending(job) then return 'cancelled' end
local total = tonumber(ARGV[3])
if total < get(job, 'total') then return misuse('a manifest only grows') end
if total > 2 ^ 31 then return misuse('too many documents for one job') end

local grown = total > get(job, 'total')
put(job, 'total', total)
put(job, 'position', ARGV[4])
place(job)
save(job)
if grown then wake() end
return 'held'
