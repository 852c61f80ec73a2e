-- ARGV: path, session
if claimant(ARGV[1]) == ARGV[2] then redis.call('HDEL', claims, ARGV[1]) end
return 0
