/**
 * The words of notices, which an operator may replace, with their placeholders. message/dsn-text.ts
 * fills them in, the settings check them before a server starts with them. Pure.
 *
 * A text is paragraphs with a blank line between them. `{recipients}` and `{message}` are whole paragraphs;
 * all other placeholders are words.
 */
import type { Action } from './notice.ts'

/** What a notice may have to tell: RFC 3464's actions, and that a notice itself could not be delivered. */
export type NoticeKind = Action | 'undeliverable'

export interface NoticeText {
  readonly subject: string
  readonly text: string
}

export interface NoticeTexts {
  /** Value of `From:`; '{hostname}' is our own name. */
  readonly from: string
  /** RFC 5646; what is not English has no advice of ours between its lines. */
  readonly language: string
  readonly opening: string
  readonly closing: string
  readonly kinds: Readonly<Record<NoticeKind, NoticeText>>
}

/** Words that may stand in a text, and what takes their place. */
export const PLACEHOLDERS = [
  'hostname',
  'postmaster',
  'sender',
  'subject',
  'id',
  'arrived',
  'until',
] as const
export type Placeholder = (typeof PLACEHOLDERS)[number]

const BLOCKS = ['recipients', 'message'] as const

/** What is wrong with a text; undefined where nothing is. `block` is the paragraph that it must have. */
export function textFault(text: string, block?: (typeof BLOCKS)[number]): string | undefined {
  for (const paragraph of paragraphsOf(text)) {
    for (const [whole, name = ''] of paragraph.matchAll(/\{([^{}]*)\}/g)) {
      if ((PLACEHOLDERS as readonly string[]).includes(name)) continue
      if (name !== block) return `there is no placeholder ${whole} here`
      if (paragraph !== whole) return `${whole} must be a paragraph of its own`
    }
  }
  const has =
    block === undefined || block === 'message' || paragraphsOf(text).includes(`{${block}}`)
  return has ? undefined : `{${block}} is missing, a paragraph of its own`
}

export function paragraphsOf(text: string): string[] {
  const paragraphs = text.replace(/\r\n?/g, '\n').split(/\n[ \t]*\n\s*/)
  return paragraphs.map(paragraph => paragraph.trim()).filter(paragraph => paragraph !== '')
}

/** The text with its words put in; what is none of them stays. */
export function fill(text: string, words: Readonly<Record<Placeholder, string>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(words, name) ? words[name as Placeholder] : whole,
  )
}

export const englishTexts: NoticeTexts = {
  from: 'Mail Delivery System <postmaster@{hostname}>',
  language: 'en',
  opening: 'This is the mail system at {hostname}.',
  closing:
    'The message was:\n\n{message}\n\nThe parts below hold the details for your mail program and the message, or its header. Questions are answered at {postmaster}; please have this notice at hand.',
  kinds: {
    failed: {
      subject: 'Your message could not be delivered',
      text: 'Your message could not be delivered to the following recipients. It will not be tried again.\n\n{recipients}',
    },
    delayed: {
      subject: 'Your message is delayed',
      text: 'Your message has not been delivered yet to the following recipients. You need not send it again: it is kept and tried further.\n\n{recipients}',
    },
    delivered: {
      subject: 'Your message was delivered',
      text: 'Your message was delivered to the mailboxes of the following recipients.\n\n{recipients}',
    },
    relayed: {
      subject: 'Your message was handed on',
      text: 'Your message was handed on for the following recipients to a mail system that may not send you any further notice.\n\n{recipients}',
    },
    expanded: {
      subject: 'Your message was handed on',
      text: 'Your message was delivered to the following addresses and sent on from there to further recipients.\n\n{recipients}',
    },
    undeliverable: {
      subject: 'A notice could not be delivered',
      text: 'A notice of this mail system could not be delivered to the sender of the message it tells of. Nobody else is told.\n\n{recipients}',
    },
  },
}
