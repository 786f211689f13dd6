local room, last, most = ARGV[BASE], ARGV[BASE + 1], ARGV[BASE + 2]
local all = { DONE }
for _, entry in ipairs(redis.call('XREVRANGE', key('history', room), last, '-', 'COUNT', most)) do
    all[#all + 1] = { string.sub(entry[1], 1, -3), entry[2][6], entry[2][2], entry[2][4] }
end
return all
