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
local UNITS_PER_TURN, MOST_TURNS = 4, 64

local stored = redis.call('HMGET', key('w', worker), 'claim', 'reply')
if stored[1] == claim_id then return cjson.decode(stored[2]) end
see_worker(worker, lease_ms, ARGV[7], ARGV[8], ARGV[9])

promote()

local function next_unit(job)
  local waiting = redis.call('ZRANGEBYSCORE', key('retry', job.id), '-inf', NOW, 'LIMIT', 0, 1)[1]
  if waiting then
    redis.call('ZREM', key('retry', job.id), waiting)
    return waiting
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

for _ = 1, MOST_TURNS do
  if #claims >= wanted then break end
  local id = redis.call('ZRANGE', P .. 'ready', 0, 0)[1]
  if not id then break end
  local job = open_job(id)
  if job then turn(job) else redis.call('ZREM', P .. 'ready', id) end
end

tally('claimed', #claims)
-- Somebody else may take the rest.
if #claims > 0 and redis.call('ZCARD', P .. 'ready') > 0 then wake() end
redis.call('HSET', key('w', worker), 'claim', claim_id, 'reply',
  #claims > 0 and cjson.encode(claims) or '[]')
return claims
