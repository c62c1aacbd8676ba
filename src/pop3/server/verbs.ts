/** Every verb and what carries it out. To add one is a file, a row here and a row in state.ts. */
import type { VerbName } from '../command.ts'
import type { Verb } from './turn.ts'
import { apop } from './verb/apop.ts'
import { auth } from './verb/auth.ts'
import { capa } from './verb/capa.ts'
import { dele } from './verb/dele.ts'
import { list, uidl } from './verb/list.ts'
import { quit } from './verb/quit.ts'
import { retr, top } from './verb/retr.ts'
import { noop, rset, stat } from './verb/stat.ts'
import { stls } from './verb/stls.ts'
import { pass, user } from './verb/user.ts'
import { lang, utf8 } from './verb/utf8.ts'

export const verbs: Readonly<Record<VerbName, Verb>> = {
  APOP: apop,
  AUTH: auth,
  CAPA: capa,
  DELE: dele,
  LANG: lang,
  LIST: list,
  NOOP: noop,
  PASS: pass,
  QUIT: quit,
  RETR: retr,
  RSET: rset,
  STAT: stat,
  STLS: stls,
  TOP: top,
  UIDL: uidl,
  USER: user,
  UTF8: utf8,
}
