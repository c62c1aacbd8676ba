/** MTQP (RFC 3887), both sides, for who embeds them. */
export * from './client/session.ts'
export * from './server/question.ts'
export { roleOf } from './server/role.ts'
export { ServerSession } from './server/session.ts'
