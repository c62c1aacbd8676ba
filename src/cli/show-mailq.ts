/**
 * The queue as `mailq` prints it, in the form that Postfix gave it: programs have read that for decades (check_mailq
 * of Nagios, Munin, Zabbix), and take the last line for how much waits. Called by command/sendmail.ts page by page,
 * each of which has the recipients of a message together; people have `queue list`.
 */
import type { QueueItem } from '../server/operation.ts'
import { formatSender, printable } from './print.ts'

const LINE_MAX_CHARS = 76
const HEADING = '----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------\n'

export interface Mailq {
  /** A line for each message, and below it each reason with the recipients that wait for it. */
  page(items: readonly QueueItem[]): string
  end(): string
}

export function mailq(): Mailq {
  let message = ''
  let reason: string | undefined
  let messages = 0
  let octets = 0

  function lines(item: QueueItem): string {
    let text = ''
    if (item.message !== message) {
      text += messages === 0 ? HEADING : '\n'
      text += messageLine(item)
      messages += 1
      octets += item.sizeOctets
      message = item.message
      reason = undefined
    }
    if (item.reason !== undefined && item.reason !== reason) text += reasonLine(item.reason)
    reason = item.reason
    return `${text}${' '.repeat(47)}${printable(item.address)}\n`
  }

  return {
    page: items => items.map(lines).join(''),
    end() {
      if (messages === 0) return 'Mail queue is empty\n'
      const requests = messages === 1 ? '1 Request' : `${messages} Requests`
      return `\n-- ${Math.ceil(octets / 1024)} Kbytes in ${requests}.\n`
    },
  }
}

/** `*` behind the id of what is being carried just now, `!` behind that of what is held. */
function messageLine({ message, state, sizeOctets, receivedAt, sender }: QueueItem): string {
  const mark = state === 'leased' ? '*' : state === 'held' ? '!' : ' '
  const id = `${message}${mark}`.padEnd(17)
  // `Fri Nov 27 2026 20:33:49 GMT+0100 (...)`: as the clock on the wall of this machine has it.
  const [day, month, date, , time] = new Date(receivedAt).toString().split(' ')
  const arrived = `${day} ${month} ${date} ${time}`
  return `${id} ${String(sizeOctets).padStart(8)} ${arrived} ${printable(formatSender(sender))}\n`
}

/** In parentheses, at the right margin where it is short enough. */
function reasonLine(reason: string): string {
  return `${`(${printable(reason)})`.padStart(LINE_MAX_CHARS)}\n`
}
