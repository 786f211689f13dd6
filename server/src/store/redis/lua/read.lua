local id, epoch = ARGV[BASE], ARGV[BASE + 1]
local after, most, most_bytes = ARGV[BASE + 2], tonumber(ARGV[BASE + 3]), tonumber(ARGV[BASE + 4])
local status, s = held(id, epoch)
if status ~= DONE then return { status } end
-- Redis came back with less than the client was sent.
if tonumber(after) > s.sent then return { UNKNOWN } end
local answer, bytes = { DONE }, 0
while most > 0 do
    local some = redis.call('XRANGE', key('outbox', id), '(' .. after .. '-0', '+', 'COUNT', int(math.min(most, 256)))
    if #some == 0 then break end
    for _, entry in ipairs(some) do
        after = string.sub(entry[1], 1, -3)
        answer[#answer + 1] = { after, entry[2][2], entry[2][4] }
        bytes = bytes + #entry[2][4]
        if bytes >= most_bytes then return answer end
    end
    most = most - #some
end
return answer
