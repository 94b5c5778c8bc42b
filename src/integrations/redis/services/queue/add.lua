-- 1 if added, 0 if a job of this name is there. A full server refuses the first
-- write, so that nothing is ever half added.
local jobs, pending, delayed = KEYS[1], KEYS[2], KEYS[3]
local ttl, id, payload, priority, delay = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
if redis.call('HEXISTS', jobs, 'payload:' .. id) == 1 then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local sequence = redis.call('HINCRBY', jobs, 'sequence', 1)
local score = string.format('%.0f', priority * 4294967296 + sequence % 4294967296)
redis.call('HSET', jobs, 'payload:' .. id, payload, 'score:' .. id, score,
  'attempt:' .. id, 0, 'attempts:' .. id, ARGV[6], 'backoff:' .. id, ARGV[7])
if delay > 0 then
  redis.call('ZADD', delayed, string.format('%.0f', now + delay), id)
else
  redis.call('ZADD', pending, score, id)
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ttl) end
return 1
