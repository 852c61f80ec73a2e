-- ARGV: lost_after, feed, number
-- Returns {last number, kernels gone, {row, runner row, live, ...} of the others}, or
-- nothing if it is not known what has changed since.
local most = 2000
local name, last = position()
local since = tonumber(ARGV[3])
if name == '' or name ~= ARGV[2] or since > tonumber(last) then return {} end
local ended, changed = {}, {}
if since < tonumber(last) then
  local first = redis.call('XRANGE', feed, '-', '+', 'COUNT', 1)[1]
  if not first or since < tonumber(first[1]:match('^%d+')) then return {} end
  local entries = redis.call('XRANGE', feed, '(' .. ARGV[3] .. '-0', '+', 'COUNT', most)
  if #entries == most then return {} end
  local looked_at = {}
  for _, entry in ipairs(entries) do
    local kernel = entry[2][2]
    if not looked_at[kernel] then
      looked_at[kernel] = true
      local holder = owner_of(kernel)
      if holder then
        changed[#changed + 1] = redis.call('HGET', kernels, kernel)
        changed[#changed + 1] = redis.call('HGET', runners, holder)
        changed[#changed + 1] = live(holder) and 1 or 0
      else
        ended[#ended + 1] = kernel
      end
    end
  end
end
return { last, ended, changed }
