local all = { DONE }
for _, id in ipairs(redis.call('ZRANGE', key('members', ARGV[BASE]), 0, -1)) do
    local s = redis.call('HMGET', key('session', id), 'alias', 'connected', 'user')
    if s[1] then all[#all + 1] = { s[1], s[2], s[3] } end
end
return all
