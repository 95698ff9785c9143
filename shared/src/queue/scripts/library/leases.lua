-- Leases.

-- Fences of different shards differ: each shard takes the numbers that leave its own remainder.
local function next_fence()
  local fence = math.max((tonumber(redis.call('GET', P .. 'fence')) or 0) + 1, NOW_US)
  fence = fence + (SHARD - fence) % MOST_SHARDS
  redis.call('SET', P .. 'fence', text(fence))
  return fence
end

local function lease_of(id, unit)
  local stored = redis.call('HGET', key('lease', id), unit)
  if not stored then return nil end
  local fence, worker, attempt, stage, n, charged, document =
    string.match(stored, '^(%d+)|([^|]*)|(%d+)|(%d+)|(%d+)|(%d+)|(.*)$')
  return { unit = unit, fence = fence, worker = worker, attempt = tonumber(attempt),
    stage = tonumber(stage), n = tonumber(n), charged = tonumber(charged), document = document }
end

local function write_lease(id, lease)
  redis.call('HSET', key('lease', id), lease.unit, table.concat({ lease.fence, lease.worker,
    text(lease.attempt), text(lease.stage), text(lease.n), text(lease.charged), lease.document },
    '|'))
end

-- The job and, if the caller still holds the unit, its lease.
local function hold(id, unit, fence)
  local job = open_job(id)
  if not job then return nil, nil end
  local lease = lease_of(id, unit)
  if lease and lease.fence == fence then return job, lease end
  return job, nil
end

-- What an earlier call with this fence was answered, or nil.
local function answered(id, fence)
  for _, entry in ipairs(redis.call('LRANGE', key('answer', id), 0, -1)) do
    local of, answer = string.match(entry, '^(%d+) (.*)$')
    if of == fence then return answer end
  end
  return nil
end

local function answer(job, lease, reply)
  redis.call('LPUSH', key('answer', job.id), lease.fence .. ' ' .. reply)
  redis.call('LTRIM', key('answer', job.id), 0, ANSWERS_KEPT - 1)
  redis.call('PEXPIRE', key('answer', job.id), ANSWERS_KEPT_MS)
  return reply
end

-- The reply of a call whose lease is not held: a repetition or a loser.
local function not_held(id, fence)
  local reply = answered(id, fence) and 'already' or 'lost'
  tally(reply, 1)
  return reply
end

local function drop(job, lease)
  redis.call('HDEL', key('lease', job.id), lease.unit)
  redis.call('ZREM', P .. 'exp', job.id .. ':' .. lease.unit)
  add(job, 'inflight', -1)
  add(job, 'partial', -lease.stage * STAGE_PERCENT)
end

local function attempts(id, unit)
  local stored = redis.call('HGET', key('att', id), unit)
  if not stored then return 0, 0 end
  local errors, crashes = string.match(stored, '^(%d+)|(%d+)$')
  return tonumber(errors), tonumber(crashes)
end

local function set_attempts(id, unit, errors, crashes)
  redis.call('HSET', key('att', id), unit, errors .. '|' .. crashes)
end

-- Any sign of life of a worker.
local function see_worker(worker, lease_ms, host, version, slots)
  redis.call('ZADD', P .. 'workers', NOW + lease_ms, worker)
  redis.call('HSET', key('w', worker), 'host', host, 'version', version, 'slots', slots,
    'seen', NOW)
  redis.call('PEXPIRE', key('w', worker), math.max(60000, 10 * lease_ms))
end
