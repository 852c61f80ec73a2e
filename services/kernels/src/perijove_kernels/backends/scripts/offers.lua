-- ARGV: lost_after
-- Returns, for each live runner, its row and its kernelspecs.
local found = {}
local alive = redis.call('ZRANGEBYSCORE', seen, blind() and '-inf' or now - lost_after, '+inf')
for _, runner in ipairs(alive) do
  found[#found + 1] = redis.call('HGET', runners, runner)
  found[#found + 1] = redis.call('HGET', specs, runner)
end
return found
