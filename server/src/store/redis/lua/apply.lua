-- ID, or nothing for none; count; the effects.
local id, count = ARGV[BASE], tonumber(ARGV[BASE + 1])
if id == '' then
    run(nil, BASE + 2, count, true)
    finish()
    return { DONE }
end
if redis.call('EXISTS', key('session', id)) == 0 then return { gone(id) } end
run(id, BASE + 2, count, true)
finish()
if redis.call('EXISTS', key('session', id)) == 0 then return { gone(id) } end
return { DONE }
