-- ARGV: lost_after, kernel
-- Returns {row, runner row, live}, or nothing.
local holder = owner_of(ARGV[2])
if not holder then return {} end
return {
  redis.call('HGET', kernels, ARGV[2]), redis.call('HGET', runners, holder),
  live(holder) and 1 or 0,
}
