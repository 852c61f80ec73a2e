-- ARGV: feed, number, most
-- Returns {whether there is a gap, the feed's name, number up to which it was read, events}.
local name, last = feed_name(), whole(last_number())
local gap, since = 0, ARGV[2]
if ARGV[1] ~= name then
  -- Nothing is known of what was before this feed; all that is in it is news.
  gap, since = 1, '0'
end
local entries = redis.call('XRANGE', feed, '(' .. since .. '-0', '+', 'COUNT', ARGV[3])
if #entries == 0 then
  if since ~= last then gap = 1 end
  return { gap, name, last, {} }
end
if entries[1][2][6] ~= since then gap = 1 end
local events = {}
for _, entry in ipairs(entries) do events[#events + 1] = entry[2][2] end
return { gap, name, entries[#entries][1]:match('^%d+'), events }
