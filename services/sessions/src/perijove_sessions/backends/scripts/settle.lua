-- ARGV: kernel
-- Sent again: nothing is left to take out.
redis.call('ZREM', leftovers, ARGV[1])
return 0
