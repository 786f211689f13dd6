-- ID, epoch, count, then each message's number and its effects' count; then all the effects.
local id, epoch, count = ARGV[BASE], ARGV[BASE + 1], tonumber(ARGV[BASE + 2])
local status, s = held(id, epoch)
if status ~= DONE then return { status } end
local last = s.received
for n = 1, count do
    local number = tonumber(ARGV[BASE + 1 + 2 * n])
    if number > last + 1 then return { GAP, s.received + 1 } end
    last = math.max(last, number)
end
if last == s.received then return { DONE } end
redis.call('HSET', key('session', id), 'received', int(last))
last = s.received
local at = BASE + 3 + 2 * count
for n = 1, count do
    local number = tonumber(ARGV[BASE + 1 + 2 * n])
    at = run(id, at, tonumber(ARGV[BASE + 2 + 2 * n]), number > last)
    last = math.max(last, number)
end
finish()
if redis.call('EXISTS', key('session', id)) == 0 then return { gone(id) } end
return { DONE }
