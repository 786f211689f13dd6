local most = tonumber(ARGV[BASE])
local all = { DONE }
for _, report in ipairs(redis.call('LPOP', ENDED, int(most)) or {}) do all[#all + 1] = cmsgpack.unpack(report) end
local rest = most + 1 - #all
if rest > 0 then
    for _, id in ipairs(redis.call('ZRANGE', EXPIRIES, '-inf', int(now), 'BYSCORE', 'LIMIT', '0', int(rest))) do
        local ended = remove(id)
        -- What has no session has no business here.
        if ended then all[#all + 1] = ended else redis.call('ZREM', EXPIRIES, id) end
    end
end
finish()
return all
