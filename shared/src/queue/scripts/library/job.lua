-- The functions that the scripts share. KEYS[1] is the prefix of every key: the shard as the hash
-- tag.
--
--   job:<id>     HASH    the job: see submit.lua
--   lease:<id>   HASH    unit -> fence|worker|attempt|stage|n|charged ms|document as JSON
--   exp          ZSET    <id>:<unit> -> expiry of the lease in ms
--   retry:<id>   ZSET    unit -> due ms: units that wait to be claimed (again), -2 listing,
--                        -1 finishing; documents that were never claimed are cursor .. total-1
--   att:<id>     HASH    unit -> errors|crashes, only for units that had any
--   done:<id>    BITMAP  one bit per document that has ended
--   answer:<id>  LIST    "<fence> <answer>" of the last units given up, for repeated calls
--   ev:<id>      STREAM  events, entry id <seq>-0, field d = JSON
--   ready        ZSET    job -> virtual time: jobs with something claimable now
--   due          ZSET    job -> earliest due ms: jobs that only wait for a back-off
--   jobs         ZSET    job -> order of submission; jobs:<state> the same for each state
--   hist         ZSET    ended job -> when it is forgotten, ms
--   workers      ZSET    worker -> expiry ms;  w:<worker> HASH last claim, host, version, slots,
--                        suspect: last document held that one more crash would end
--   fence, clock STRING  last fence given out; virtual time of the job served last
--   stats        HASH    counters since the start of this Redis: see `tally`
--   wake         LIST    markers for waiting workers
--
-- Channels belong to no shard: tq:ch:<id>, tq:ch:all, tq:ctl.
--
-- A script reads and validates first, changes the job as a table, and writes last (`save`).

local P = KEYS[1]
local SHARD, MOST_SHARDS = tonumber(string.match(P, '%d+')), 16
local CHANNELS = 'tq:'
local LIST, FINISH = '-2', '-1'
local STAGES, STAGE_PERCENT = 14, 7
local THIN_ABOVE, STAGE_EVENTS_PER_SECOND = 1000, 20
local EVENTS_KEPT, ANSWERS_KEPT, ANSWERS_KEPT_MS = 20000, 256, 600000
local OPEN_STATES = { 'queued', 'running', 'paused', 'cancelling' }
local FINAL_STATES = { 'completed', 'completed_with_errors', 'failed', 'cancelled' }
local OUTCOMES = { 'completed', 'completed_with_warnings', 'skipped_duplicate', 'too_short',
  'needs_attention', 'failed', 'cancelled' }

local time = redis.call('TIME')
local NOW_US = tonumber(time[1]) * 1000000 + tonumber(time[2])
local NOW = math.floor(NOW_US / 1000)

local function key(name, id) return P .. name .. ':' .. id end

local function contains(list, value)
  for _, item in ipairs(list) do if item == value then return true end end
  return false
end

-- Never tostring(): it writes 1e+15.
local function text(value)
  if type(value) ~= 'number' then return value end
  if value == math.floor(value) then return string.format('%.0f', value) end
  return string.format('%.17g', value)
end

local function tenths(value)
  if value == math.floor(value) then return string.format('%.0f', value) end
  return string.format('%.1f', value)
end

-- RFC 3339 of NOW (days since 1970 to a date of the proleptic Gregorian calendar).
local function timestamp()
  local floor = math.floor
  local days = floor(NOW / 86400000)
  local ms = NOW - days * 86400000
  local z = days + 719468
  local era = floor(z / 146097)
  local doe = z - era * 146097
  local yoe = floor((doe - floor(doe / 1460) + floor(doe / 36524) - floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + floor(yoe / 4) - floor(yoe / 100))
  local mp = floor((5 * doy + 2) / 153)
  local day = doy - floor((153 * mp + 2) / 5) + 1
  local month = mp < 10 and mp + 3 or mp - 9
  local year = yoe + era * 400 + (month <= 2 and 1 or 0)
  return string.format('%04d-%02d-%02dT%02d:%02d:%02d.%03dZ', year, month, day,
    floor(ms / 3600000), floor(ms / 60000) % 60, floor(ms / 1000) % 60, ms % 1000)
end

-- The job as a table, or nil.

local function open_job(id)
  local flat = redis.call('HGETALL', key('job', id))
  if #flat == 0 then return nil end
  local job = { id = id, fields = {}, changed = {} }
  for i = 1, #flat, 2 do job.fields[flat[i]] = flat[i + 1] end
  return job
end

local function get(job, name) return tonumber(job.fields[name]) or 0 end

local function put(job, name, value)
  job.fields[name] = value
  job.changed[name] = true
end

local function add(job, name, by) put(job, name, get(job, name) + by) end

local function save(job)
  local flat = {}
  for name in pairs(job.changed) do
    flat[#flat + 1] = name
    flat[#flat + 1] = text(job.fields[name])
  end
  job.changed = {}
  if #flat > 0 then redis.call('HSET', key('job', job.id), unpack(flat)) end
end

local function is_final(job) return contains(FINAL_STATES, job.fields.state) end

local function is_ending(job) return job.fields.ending ~= '' end

local function set_state(job, state)
  redis.call('ZREM', key('jobs', job.fields.state), job.id)
  redis.call('ZADD', key('jobs', state), job.fields.order, job.id)
  put(job, 'state', state)
end

-- Counts what operators watch: claimed, already (a repetition was recognised), lost (a call under
-- a lost lease), expired, retried, dead, released, repaired.
local function tally(name, by)
  if by > 0 then redis.call('HINCRBY', P .. 'stats', name, by) end
end

local function misuse(reason) return redis.error_reply('TQ_MISUSE ' .. reason) end
local function no_such_job() return redis.error_reply('TQ_NO_SUCH_JOB no such job') end
