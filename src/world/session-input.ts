/**
 * The inputs of a session (wire/effect.ts) as functions that close over nothing: the pump gives one for every
 * read and every answer, and makes nothing anew for it.
 */
import type { Session, TlsFacts } from '../wire/effect.ts'

export function start<A, E>(session: Session<A, E>): void {
  session.start()
}
export function receive<A, E>(session: Session<A, E>, octets: Uint8Array): void {
  session.receive(octets)
}
export function answered<A, E>(session: Session<A, E>, answer: A): void {
  session.answer(answer)
}
export function secured<A, E>(session: Session<A, E>, tls: TlsFacts): void {
  session.secured(tls)
}
export function drained<A, E>(session: Session<A, E>): void {
  session.drained()
}
export function tell<A, E>(session: Session<A, E>, event: E): void {
  session.tell(event)
}
export function expire<A, E>(session: Session<A, E>): void {
  session.expire()
}
export function end<A, E>(session: Session<A, E>): void {
  session.end()
}
