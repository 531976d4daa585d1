// For NODE_OPTIONS=--import: the wall clock is set forwards and backwards by days, again and again.
const now = Date.now;
const days = [0, 1, -1, 400, -400];
let turn = 0;
setInterval(() => turn++, 200).unref();
Date.now = () => now() + days[turn % days.length] * 86_400_000;
