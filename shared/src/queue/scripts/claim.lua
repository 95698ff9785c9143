#!lua flags=allow-oom
-- ARGV worker, claim id, units wanted (<= 16), lease ms, most errors, most crashes, host,
--      version, slots
-- Returns claims as JSON: job, unit, fence, attempt, collection, force, task list|train|lost|
--      finish with what the task needs
--
-- A repeated claim id gets the stored reply, so a lost reply leaks no leases.

local worker, claim_id = ARGV[1], ARGV[2]
local wanted, lease_ms = math.min(16, tonumber(ARGV[3])), tonumber(ARGV[4])
local max_errors, max_crashes = tonumber(ARGV[5]), tonumber(ARGV[6])
local UNITS_PER_TURN, MOST_TURNS, MOST_SEEN = 4, 64, 16

local stored = redis.call('HMGET', key('w', worker), 'claim', 'reply')
if stored[1] == claim_id then return cjson.decode(stored[2]) end
see_worker(worker, lease_ms, ARGV[7], ARGV[8], ARGV[9])

promote()

-- A document that would be given up after one more crash. A worker has one of them at a time (and shard):
-- whoever merely ran beside a deadly one must not die with it until it is taken for deadly, too.
local function is_last_chance(unit, crashes)
  return unit ~= LIST and unit ~= FINISH and crashes > 0 and crashes == max_crashes - 1
end

local function has_last_chance()
  local suspect = redis.call('HGET', key('w', worker), 'suspect') or ''
  local id, unit, fence = string.match(suspect, '^(.*):(-?%d+)|(%d+)$')
  local lease = id and lease_of(id, unit)
  return lease and lease.fence == fence
end
local is_burdened = has_last_chance()

local function next_unit(job)
  local due = redis.call('ZRANGEBYSCORE', key('retry', job.id), '-inf', NOW, 'LIMIT', 0, MOST_SEEN)
  for _, unit in ipairs(due) do
    local _, crashes = attempts(job.id, unit)
    if not (is_burdened and is_last_chance(unit, crashes)) then
      redis.call('ZREM', key('retry', job.id), unit)
      return unit
    end
  end
  local cursor = get(job, 'cursor')
  if cursor < get(job, 'total') then
    put(job, 'cursor', cursor + 1)
    return text(cursor)
  end
  return nil
end

-- Milliseconds of cost that a document is charged until its own are measured: the job's mean.
local function estimate(job)
  local measured = get(job, 'cost_n')
  return measured > 0 and math.floor(get(job, 'cost_ms') / measured) or 1000
end

local function task_of(job, unit, errors, crashes)
  if unit == LIST then
    local position = job.fields.position
    return '"task":"list","total":' .. text(get(job, 'total'))
      .. (position ~= '' and ',"position":' .. cjson.encode(position) or '')
  elseif unit == FINISH then
    return '"task":"finish","verdict":"' .. job.fields.verdict .. '"'
      .. (job.fields.error and ',"error":' .. cjson.encode(job.fields.error) or '')
  elseif crashes >= max_crashes then
    return '"task":"lost"'
  end
  return '"task":"train","last":' .. (errors + 1 >= max_errors and 1 or 0)
end

local function trace_of(job)
  local trace = job.fields.traceparent or ''
  return trace ~= '' and '"trace":' .. cjson.encode(trace) .. ',' or ''
end

local function take(job, unit)
  local errors, crashes = attempts(job.id, unit)
  local document = unit ~= LIST and unit ~= FINISH
  local lease = { unit = unit, fence = text(next_fence()), worker = worker,
    attempt = errors + crashes + 1, stage = 0, n = 0,
    charged = document and estimate(job) or 0, document = '' }
  write_lease(job.id, lease)
  redis.call('ZADD', P .. 'exp', NOW + lease_ms, job.id .. ':' .. unit)
  if is_last_chance(unit, crashes) then
    is_burdened = true
    redis.call('HSET', key('w', worker), 'suspect', job.id .. ':' .. unit .. '|' .. lease.fence)
  end
  add(job, 'inflight', 1)
  add(job, 'vt', lease.charged / 1000 / get(job, 'weight'))
  if job.fields.state == 'queued' then
    set_state(job, 'running')
    put(job, 'started', NOW)
    emit_job(job, 'Обучение началось')
  end
  return table.concat({ '{"job":"', job.id, '","unit":', unit, ',"fence":', lease.fence,
    ',"attempt":', text(lease.attempt), ',"collection":', cjson.encode(job.fields.collection),
    ',"force":', job.fields.force, ',', trace_of(job), task_of(job, unit, errors, crashes), '}' })
end

local claims = {}
local function turn(job)
  local clock = tonumber(redis.call('GET', P .. 'clock')) or 0
  if get(job, 'vt') > clock then redis.call('SET', P .. 'clock', text(get(job, 'vt'))) end
  for _ = 1, UNITS_PER_TURN do
    if #claims >= wanted or not has_room(job) then break end
    local unit = next_unit(job)
    if not unit then break end
    claims[#claims + 1] = take(job, unit)
  end
  place(job)
  save(job)
end

-- Jobs that have something, but nothing for this worker now.
local passed = 0
for _ = 1, MOST_TURNS do
  if #claims >= wanted then break end
  local id = redis.call('ZRANGE', P .. 'ready', passed, passed)[1]
  if not id then break end
  local job, before = open_job(id), #claims
  if job then turn(job) else redis.call('ZREM', P .. 'ready', id) end
  if #claims == before and redis.call('ZSCORE', P .. 'ready', id) then passed = passed + 1 end
end

tally('claimed', #claims)
-- Somebody else may take the rest.
if #claims > 0 and redis.call('ZCARD', P .. 'ready') > 0 then wake() end
redis.call('HSET', key('w', worker), 'claim', claim_id, 'reply',
  #claims > 0 and cjson.encode(claims) or '[]')
return claims
