-- What the worker that has a job says of it: `beat` with a lease, `done`, or `fail`
-- with the thousandths to wait longer and why. {1, milliseconds until it is tried
-- again}, {2, 0} if it is dead, {0, 0} if the worker does not have it.
-- It prolongs first: a full server must let a worker keep and settle its job, and
-- refuses a script's first write alone.
local jobs, delayed, active, dead = KEYS[1], KEYS[3], KEYS[4], KEYS[5]
local ttl, id, attempt, says, number, why = unpack(ARGV)
if redis.call('HGET', jobs, 'attempt:' .. id) ~= attempt then return {0, 0} end
if not redis.call('ZSCORE', active, id) then return {0, 0} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function at(moment) return string.format('%.0f', moment) end
local function keep()
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ttl) end
end
keep()
if says == 'beat' then
  redis.call('ZADD', active, 'XX', at(now + number), id)
  return {1, 0}
end
redis.call('ZREM', active, id)
if says == 'done' then
  redis.call('HDEL', jobs, 'payload:' .. id, 'score:' .. id, 'attempt:' .. id,
    'attempts:' .. id, 'backoff:' .. id, 'why:' .. id)
  return {1, 0}
end
local job = redis.call('HMGET', jobs, 'attempts:' .. id, 'backoff:' .. id)
redis.call('HSET', jobs, 'why:' .. id, why)
local verdict, after = 2, 0
if tonumber(attempt) >= tonumber(job[1]) then
  redis.call('ZADD', dead, at(now), id)
else
  local longer = 2 ^ (attempt - 1) * (1000 + number) / 1000
  verdict, after = 1, math.min(math.floor(job[2] * longer), tonumber(ttl))
  redis.call('ZADD', delayed, at(now + after), id)
end
keep()
return {verdict, after}
