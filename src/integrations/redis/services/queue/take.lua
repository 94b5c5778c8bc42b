-- {id, payload, attempt} of the first job that is due, or nothing. A full server
-- refuses a script's first write if it may add, and none after it: so whatever is
-- moved is removed before it is added, and a full queue drains.
local jobs, pending, delayed, active, dead = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local ttl, lease, silence = ARGV[1], ARGV[2], ARGV[3]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local today = string.format('%.0f', now)
local moved = false
local function due(key)
  return ipairs(redis.call('ZRANGEBYSCORE', key, '-inf', today, 'LIMIT', 0, 100))
end
local function keep()
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ttl) end
end
for _, id in due(delayed) do
  moved = true
  redis.call('ZREM', delayed, id)
  redis.call('ZADD', pending, redis.call('HGET', jobs, 'score:' .. id), id)
end
for _, id in due(active) do
  moved = true
  redis.call('ZREM', active, id)
  local job = redis.call('HMGET', jobs, 'score:' .. id, 'attempt:' .. id, 'attempts:' .. id)
  if tonumber(job[2]) >= tonumber(job[3]) then
    redis.call('HSET', jobs, 'why:' .. id, silence)
    redis.call('ZADD', dead, today, id)
  else
    redis.call('ZADD', pending, job[1], id)
  end
end
local id = redis.call('ZPOPMIN', pending)[1]
if not id then
  if moved then keep() end
  return false
end
local attempt = redis.call('HINCRBY', jobs, 'attempt:' .. id, 1)
redis.call('ZADD', active, string.format('%.0f', now + lease), id)
keep()
return {id, redis.call('HGET', jobs, 'payload:' .. id), attempt}
