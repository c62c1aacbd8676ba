/** The face of the pop3 room: both sessions and the page of questions, for embedding. */

export type {
  ClientAnswer,
  ClientQuestion,
  ClientSettings,
  Order,
  Result,
} from './client/question.ts'
export { ClientSession } from './client/session.ts'
export type {
  Answer,
  Answers,
  CommitAnswer,
  ConnectAnswer,
  Listing,
  OpenAnswer,
  Peer,
  Policy,
  Question,
  Refused,
  RetrieveAnswer,
  ServerEvent,
  SessionSettings,
} from './server/question.ts'
export { ServerSession } from './server/session.ts'
