-- ARGV: lost_after
-- Returns the turn, and the row of each live runner. While nobody listened for them,
-- as the registry knows, silence says nothing, and all count as live.
local swept = redis.call('HGET', meta, 'swept')
local blind = not swept or now - tonumber(swept) > lost_after / 2
local found = {}
for _, runner in ipairs(redis.call('ZRANGEBYSCORE', seen, blind and '-inf' or now - lost_after, '+inf')) do
  local row = redis.call('HGET', runners, runner)
  if row then found[#found + 1] = row end
end
return {turn_now(), found}
