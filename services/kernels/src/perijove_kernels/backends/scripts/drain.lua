-- ARGV: lost_after, runner, drain or ''
-- Returns whether there is such a runner.
if redis.call('HEXISTS', runners, ARGV[2]) == 0 then return 0 end
set_drain(ARGV[2], ARGV[3])
return 1
