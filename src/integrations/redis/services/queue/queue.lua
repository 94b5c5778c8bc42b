-- The queue. KEYS: the jobs, and which of them are pending, delayed and active; those
-- delayed for ever are dead. ARGV: what to do, how long the queue lives. A full server refuses a script's first write if that may
-- add, and none after it: so an addition leaves nothing half done, and whatever else
-- happens to a job removes or prolongs before it adds, so that a full queue drains.
local jobs, pending, delayed, active = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local op, ttl, id = ARGV[1], ARGV[2], ARGV[3]
if op == 'dead' then
  -- {attempts, why} of a dead job, or nothing.
  if redis.call('ZSCORE', delayed, id) ~= 'inf' then return false end
  local job = redis.call('HMGET', jobs, 'attempt:' .. id, 'why:' .. id)
  return {tonumber(job[1]), job[2]}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function at(moment) return string.format('%.0f', moment) end
local function keep()
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ttl) end
end
if op == 'add' then
  -- Payload, priority, delay, attempts, backoff. 1 if added, 0 if a job of this name is there.
  if redis.call('HEXISTS', jobs, 'payload:' .. id) == 1 then return 0 end
  local sequence = redis.call('HINCRBY', jobs, 'sequence', 1)
  local score = at(ARGV[5] * 4294967296 + sequence % 4294967296)
  redis.call('HSET', jobs, 'payload:' .. id, ARGV[4], 'score:' .. id, score,
    'attempt:' .. id, 0, 'attempts:' .. id, ARGV[7], 'backoff:' .. id, ARGV[8])
  if tonumber(ARGV[6]) > 0 then
    redis.call('ZADD', delayed, at(now + ARGV[6]), id)
  else
    redis.call('ZADD', pending, score, id)
  end
  keep()
  return 1
end
if op == 'take' then
  -- For a lease of ARGV[3] ms; ARGV[4] is why a job dies of which nothing was heard.
  -- {id, payload, attempt} of the first job that is due, or nothing.
  local moved = false
  local function due(key)
    return ipairs(redis.call('ZRANGEBYSCORE', key, '-inf', at(now), 'LIMIT', 0, 100))
  end
  for _, late in due(delayed) do
    moved = true
    redis.call('ZREM', delayed, late)
    redis.call('ZADD', pending, redis.call('HGET', jobs, 'score:' .. late), late)
  end
  for _, late in due(active) do
    moved = true
    redis.call('ZREM', active, late)
    local job = redis.call('HMGET', jobs, 'score:' .. late, 'attempt:' .. late, 'attempts:' .. late)
    if tonumber(job[2]) >= tonumber(job[3]) then
      redis.call('HSET', jobs, 'why:' .. late, ARGV[4])
      redis.call('ZADD', delayed, '+inf', late)
    else
      redis.call('ZADD', pending, job[1], late)
    end
  end
  local first = redis.call('ZPOPMIN', pending)[1]
  if not first then
    if moved then keep() end
    return false
  end
  local attempt = redis.call('HINCRBY', jobs, 'attempt:' .. first, 1)
  redis.call('ZADD', active, at(now + ARGV[3]), first)
  keep()
  return {first, redis.call('HGET', jobs, 'payload:' .. first), attempt}
end
-- What the worker that has a job says of it: the attempt; then `beat` with a lease,
-- `done`, or `fail` with the thousandths to wait longer and why. {1, milliseconds until
-- it is tried again}, {2, 0} if it is dead, {0, 0} if the worker does not have it.
local attempt, number = ARGV[4], ARGV[5]
if redis.call('HGET', jobs, 'attempt:' .. id) ~= attempt then return {0, 0} end
if not redis.call('ZSCORE', active, id) then return {0, 0} end
keep()
if op == 'beat' then
  redis.call('ZADD', active, 'XX', at(now + number), id)
  return {1, 0}
end
redis.call('ZREM', active, id)
if op == 'done' then
  redis.call('HDEL', jobs, 'payload:' .. id, 'score:' .. id, 'attempt:' .. id,
    'attempts:' .. id, 'backoff:' .. id, 'why:' .. id)
  return {1, 0}
end
local job = redis.call('HMGET', jobs, 'attempts:' .. id, 'backoff:' .. id)
redis.call('HSET', jobs, 'why:' .. id, ARGV[6])
local verdict, after = 2, 0
if tonumber(attempt) >= tonumber(job[1]) then
  redis.call('ZADD', delayed, '+inf', id)
else
  local longer = 2 ^ (attempt - 1) * (1000 + number) / 1000
  verdict, after = 1, math.min(math.floor(job[2] * longer), tonumber(ttl))
  redis.call('ZADD', delayed, at(now + after), id)
end
keep()
return {verdict, after}
