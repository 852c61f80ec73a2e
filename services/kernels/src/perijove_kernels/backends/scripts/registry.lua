-- ARGV: lost_after
-- Returns {settling, kernel rows, runner rows with their keys, live runners, kernels gone,
--          feed, its last number}.
-- Those gone matter only to who might still know them, which is while it settles.
local since = redis.call('HGET', meta, 'since')
local settling = not since or now - tonumber(since) < lost_after
local alive = redis.call('ZRANGEBYSCORE', seen, blind() and '-inf' or now - lost_after, '+inf')
return {
  settling and 1 or 0, redis.call('HVALS', kernels), redis.call('HGETALL', runners), alive,
  settling and redis.call('HKEYS', gone) or {}, position()
}
