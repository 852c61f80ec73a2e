-- ARGV: session
return redis.call('HGET', rows, ARGV[1]) or ''
