-- Where a job stands in the queue.

local function wake()
  local workers = math.max(1, redis.call('ZCARD', P .. 'workers'))
  if redis.call('LLEN', P .. 'wake') < workers then redis.call('LPUSH', P .. 'wake', 1) end
end

-- Whether a limited job may have another document worked on; its listing (in progress or just
-- given out) does not count.
local function has_room(job)
  local limit = get(job, 'max_inflight')
  if limit == 0 then return true end
  local listing = job.is_listed_here and 1 or redis.call('HEXISTS', key('lease', job.id), LIST)
  return get(job, 'inflight') - listing < limit
end

local function verdict(job)
  if is_ending(job) then return job.fields.ending end
  return get(job, 'failed') > 0 and 'completed_with_errors' or 'completed'
end

-- Puts the job into `ready`, `due` or neither, and makes its finishing unit claimable when
-- nothing else is left; answers whether something is claimable. Every script calls this after it has
-- changed a job.
local function place(job)
  local id = job.id
  if not is_final(job) and job.fields.verdict == '' and get(job, 'sealed') == 1
    and get(job, 'inflight') == 0 and ended(job) == get(job, 'total') then
    put(job, 'verdict', verdict(job))
    redis.call('ZADD', key('retry', id), NOW, FINISH)
    if job.fields.state == 'paused' then set_state(job, 'running') end
  end
  local claimable, next_due = false, nil
  if not is_final(job) and job.fields.state ~= 'paused' and has_room(job) then
    claimable = get(job, 'cursor') < get(job, 'total')
    local first = claimable and {} or redis.call('ZRANGE', key('retry', id), 0, 0, 'WITHSCORES')
    if first[1] then
      claimable = tonumber(first[2]) <= NOW
      next_due = first[2]
    end
  end
  if not claimable then
    redis.call('ZREM', P .. 'ready', id)
    if next_due then
      redis.call('ZADD', P .. 'due', next_due, id)
    else
      redis.call('ZREM', P .. 'due', id)
    end
  elseif redis.call('ZADD', P .. 'ready', text(get(job, 'vt')), id) == 1 then
    redis.call('ZREM', P .. 'due', id)
    -- Whoever was away cannot have saved up credit.
    put(job, 'vt', math.max(get(job, 'vt'), read_marks().clock))
    redis.call('ZADD', P .. 'ready', text(get(job, 'vt')), id)
    wake()
  end
  return claimable
end

-- Makes jobs ready whose back-off is over, so many at most; returns how many.
local function promote(most)
  local due = redis.call('ZRANGEBYSCORE', P .. 'due', '-inf', NOW, 'LIMIT', 0, most)
  for _, id in ipairs(due) do
    redis.call('ZREM', P .. 'due', id)
    local job = open_job(id)
    if job then
      place(job)
      save(job)
    end
  end
  return #due
end
