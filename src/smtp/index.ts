/** The public face of the room: the grammar, the replies, and the server session with its policy. */

export type {
  Carry,
  ClientAnswer,
  ClientEvent,
  ClientQuestion,
  ClientSettings,
  HopFacts,
  Phase,
  Trouble,
} from './client/question.ts'
export { ClientSession } from './client/session.ts'
export { parseDomain, parseLiteral } from './domain.ts'
export type { Extension, ExtensionVerb, ParameterRule } from './extension/extension.ts'
export { extensions } from './extension/table.ts'
export { type Parameter, parseParameters } from './parameter.ts'
export { type Path, parseForwardPath, parseMailbox, parseReversePath } from './path.ts'
export { replies } from './replies.ts'
export { formatReply, parseReply, ReplyParser, type ReplyState } from './reply.ts'
export type {
  Answer,
  Later,
  Peer,
  Policy,
  Question,
  ServerEvent,
  SessionSettings,
} from './server/question.ts'
export { roleOf } from './server/role.ts'
export { ServerSession } from './server/session.ts'
