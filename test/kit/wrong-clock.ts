/**
 * Preloaded into a server (`NODE_OPTIONS=--import ...`): its wall clock is wrong by POSTRIDER_TEST_CLOCK_MS,
 * its monotonic clock and its timers are right. What a machine has whose time nobody keeps.
 */
const RealDate = Date
const offMs = Number(process.env['POSTRIDER_TEST_CLOCK_MS'] ?? 0)
const now = () => RealDate.now() + offMs

globalThis.Date = new Proxy(RealDate, {
  construct: (target, values: unknown[]) =>
    Reflect.construct(target, values.length === 0 ? [now()] : values) as object,
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
})
