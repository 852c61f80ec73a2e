-- ARGV: kernel, hold_s
-- Sent again: it is due later by as much.
redis.call('ZADD', leftovers, string.format('%.3f', now + tonumber(ARGV[2])), ARGV[1])
return 0
