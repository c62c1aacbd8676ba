/** The domain of `--demo`, which exists nowhere (RFC 2606): made by server/demo.ts, known where a config is judged. */
export const DEMO_DOMAIN = 'demo.test'
