//! Lines of the scripts, each broken in one way.

/// What a script says, what it says instead, the case that notices, and what that says.
pub(super) type Mutant = (&'static str, &'static str, &'static str, &'static str);

/// Of `cache.lua`.
pub(super) const CACHE: &[Mutant] = &[
    (
        "redis.call('DEL', KEYS[1], KEYS[2])",
        "redis.call('DEL', KEYS[1])",
        "C7",
        "an invalidated value came back",
    ),
    (
        "redis.call('DEL', KEYS[1], KEYS[2])",
        "redis.call('DEL', KEYS[2])",
        "C7",
        "an invalidated value came back",
    ),
    (
        "token, 'NX', 'PX', ARGV[3])",
        "token, 'PX', ARGV[3])",
        "C3",
        "a value was loaded more than once",
    ),
    (
        "token, 'NX', 'PX', ARGV[3])",
        "token, 'NX', 'PX', 99999)",
        "C5",
        "a reader was left without a value",
    ),
    (
        "if left > tonumber(ARGV[4]) then",
        "if false then",
        "C3",
        "a value was loaded more than once",
    ),
    (
        "return {lead, wait, left, entry}",
        "return {lead, wait, -2, entry}",
        "C4",
        "a reader was left without a value",
    ),
    (
        "return {lead, wait, left, entry}",
        "return {lead, wait, 1, entry}",
        "C2",
        "the time to live is wrong",
    ),
    (
        "if redis.call('GET', KEYS[2]) ~= token then return 0 end",
        "",
        "C6",
        "a late leader overwrote a newer value",
    ),
    (
        "return redis.call('PEXPIRE', KEYS[2], ARGV[3])",
        "return 1",
        "C6",
        "nobody may load a missing value",
    ),
    ("'cost', ARGV[5]", "'cost', 0", "C1", "the bytes came back changed"),
    ("'absent', ARGV[6])", "'absent', 0)", "C2", "absent and missing are one to the cache"),
    ("redis.call('PEXPIRE', KEYS[1], ARGV[3])", "", "C1", "the time to live was lost"),
    (
        "redis.call('PEXPIRE', KEYS[1], ARGV[3])",
        "redis.call('PEXPIRE',KEYS[1],ARGV[3]*2)",
        "C10",
        "there after",
    ),
    ("return redis.call('DEL', KEYS[2])", "return 1", "C8", "a failed load left something behind"),
];

/// Of `lock.lua`.
pub(super) const LOCK: &[Mutant] = &[
    ("redis.call('PEXPIRE', KEYS[2], ARGV[4])", "", "L4", "the time to live was lost"),
    (
        "redis.call('PEXPIRE', KEYS[2], ARGV[4])",
        "redis.call('PEXPIRE', KEYS[2], ttl/2)",
        "L4",
        "the time to live is wrong",
    ),
    (
        "if tonumber(token) < highest then return {0, 0} end",
        "",
        "L8",
        "a write under an old fence got through",
    ),
    ("'fence', token,", "'fence', 0,", "L8", "a write under an old fence got through"),
    ("if holder == token then", "if false then", "L10", "a holder is shut out by its own lock"),
    (
        "tonumber(redis.call('GET', KEYS[2]) or 0)",
        "0",
        "L10",
        "a holder is shut out by its own lock",
    ),
    (
        "if holder then return {0, redis.call('PTTL', KEYS[1])} end",
        "",
        "L2",
        "a lock has several holders, or none",
    ),
    (
        "if holder then return {0, redis.call('PTTL', KEYS[1])} end",
        "",
        "L9",
        "two were inside a lock at once",
    ),
    ("return {0, redis.call('PTTL', KEYS[1])}", "return {0, 1}", "L2", "the time to live is wrong"),
    ("token, 'NX', 'PX', ttl)", "token, 'NX')", "L1", "the time to live was lost"),
    ("redis.call('INCR', KEYS[2])", "1", "L4", "the fence does not rise"),
    (
        "if holder ~= token then return {0, 0} end",
        "",
        "L2",
        "a stranger could end or prolong a lock",
    ),
    ("if holder ~= token then return {0, 0} end", "", "L6", "a holder is not told of its loss"),
    (
        "{redis.call('PEXPIRE', KEYS[1], ttl), 0}",
        "{1, 0}",
        "L3",
        "a kept lock was given to another",
    ),
    (
        "{redis.call('PEXPIRE', KEYS[1], ttl), 0}",
        "{redis.call('PEXPIRE',KEYS[1],ttl*9),0}",
        "L5",
        "there after",
    ),
    ("{redis.call('DEL', KEYS[1]), 0}", "{1, 0}", "L4", "a released lock is not free"),
    ("{redis.call('DEL', KEYS[1]), 0}", "{1, 0}", "L11", "who was stopped still holds the lock"),
];

/// Of `session.lua`.
pub(super) const SESSION: &[Mutant] = &[
    (
        "redis.call('SET', each, '', 'PX', ARGV[2])",
        "redis.call('SET', each, '', 'PX', 9999)",
        "S11",
        "0 of 8 gone",
    ),
    ("if redis.call('EXISTS', key) == 1 then return 0 end", "", "S1", "a session was begun twice"),
    (
        "redis.call('PEXPIRE', key, whole(math.min(idle, absolute)))",
        "",
        "S8",
        "the time to live was lost",
    ),
    ("whole(math.min(idle, absolute))", "whole(absolute)", "S3", "the time to live is wrong"),
    ("redis.call('PEXPIRE', key, whole(left))", "", "S2", "the time to live is wrong"),
    (
        "math.min(tonumber(session[3]), tonumber(session[4]) - now)",
        "tonumber(session[3])",
        "S4",
        "there after",
    ),
    (
        "math.min(tonumber(session[3]), tonumber(session[4]) - now)",
        "tonumber(session[3])",
        "S7",
        "the time to live is wrong",
    ),
    ("if not version then return -1 end", "", "S5", "a change brought an ended session back"),
    ("if version ~= ARGV[2] then return 0 end", "", "S6", "a writer overwrote another unawares"),
    (
        "'version', tonumber(version) + 1)",
        "'version', version)",
        "S6",
        "a writer overwrote another unawares",
    ),
    (
        "redis.call('RENAMENX', key, KEYS[2])",
        "redis.call('COPY', key, KEYS[2])",
        "S7",
        "the old key of a session still opens it",
    ),
    ("return redis.call('DEL', key)", "return 1", "S5", "a change brought an ended session back"),
];

/// Of the script in `ratelimit/server.rs`.
pub(super) const RATE_LIMIT: &[Mutant] = &[
    (
        "if calls > limit then return {2, 0, 0} end",
        "if calls>limit then return {0, 0, 1} end",
        "R6",
        "calls made together are counted wrongly",
    ),
    (
        "math.max(limit - count, 0)",
        "limit - count + 1",
        "R1",
        "not as many calls as allowed got through",
    ),
    ("math.max(limit - count, 0)", "limit - count + 1", "R2", "clients do not share the limit"),
    ("ARGV[5] .. ':' .. call)", "ARGV[5])", "R6", "calls made together are counted wrongly"),
    (
        "return {1, remaining - calls, 0}",
        "return {1, remaining, 0}",
        "R1",
        "not as many calls as allowed got through",
    ),
    ("last[2] + window - now", "window", "R4", "a refusal does not say when to return"),
    ("redis.call('PEXPIRE', KEYS[1], ARGV[4])", "", "R8", "the time to live was lost"),
    (
        "local past = string.format('%.0f', now - window)",
        "local past=string.format('%.0f',now-now%window)",
        "R3",
        "the limit does not hold in every window",
    ),
    ("KEYS[1]", "'every'", "R7", "the first call is refused"),
];

/// Of `queue.lua`.
pub(super) const QUEUE: &[Mutant] = &[
    (
        "if not redis.call('ZSCORE', active, id) then return {0, 0} end",
        "",
        "Q5",
        "a worker could settle what it had failed",
    ),
    (
        "if redis.call('HEXISTS', jobs, 'payload:' .. id) == 1 then return 0 end",
        "",
        "Q2",
        "a job was added twice",
    ),
    (
        "ARGV[5] * 4294967296 + sequence % 4294967296",
        "sequence",
        "Q1",
        "jobs are not taken in order",
    ),
    (
        "ARGV[5] * 4294967296 + sequence % 4294967296",
        "ARGV[5] * 4294967296",
        "Q1",
        "jobs are not taken in order",
    ),
    (
        "if tonumber(ARGV[6]) > 0 then",
        "if false then",
        "Q6",
        "a delayed job comes at the wrong time",
    ),
    ("in due(active) do", "in due('x') do", "Q4", "a silent worker's job is not recovered"),
    (
        "if tonumber(job[2]) >= tonumber(job[3]) then",
        "if false then",
        "Q4",
        "a job is taken for ever",
    ),
    (
        "local first = redis.call('ZPOPMIN', pending)[1]\n  if",
        "local first=redis.call('ZRANGE',pending,0,0)[1] if",
        "Q3",
        "jobs were taken twice, or not at all",
    ),
    (
        "redis.call('HINCRBY', jobs, 'attempt:' .. first, 1)",
        "1",
        "Q4",
        "a silent worker's job is not recovered",
    ),
    (
        "at(now + ARGV[3]), first)",
        "at(now), first)",
        "Q4",
        "a silent worker's job is not recovered",
    ),
    (
        "if redis.call('HGET', jobs, 'attempt:' .. id) ~= attempt then return {0, 0} end",
        "",
        "Q5",
        "a former worker could settle a job",
    ),
    (
        "redis.call('ZADD', active, 'XX', at(now + number), id)",
        "",
        "Q8",
        "a worker that beats loses its job",
    ),
    (
        "redis.call('HSET', jobs, 'why:' .. id, ARGV[6])",
        "redis.call('HSET', jobs, 'why:' .. id, 'x')",
        "Q7",
        "a job that failed for good is not kept so",
    ),
    (
        "if tonumber(attempt) >= tonumber(job[1]) then",
        "if false then",
        "Q7",
        "a job that failed for good is not kept so",
    ),
    ("2 ^ (attempt - 1)", "1", "Q7", "a failed job waits too long or too short"),
    (
        "redis.call('ZADD', delayed, at(now + after), id)",
        "redis.call('ZADD', pending, 0, id)",
        "Q7",
        "a failed job comes back at the wrong time",
    ),
];
