/** Notices as the settings have them: their words over our own English ones. */
import { englishTexts, type NoticeKind, type NoticeText } from '../message/notice-text.ts'
import { type NoticeSettings, Notices, type NoticesOptions } from '../queue/notice.ts'
import type { Transit } from '../transit/transit.ts'
import type { HouseOptions } from './house.ts'
import type { Settings } from './settings/settings.ts'

/** Kinds as the config calls them. */
const WRITTEN = {
  failed: 'failure',
  delayed: 'delay',
  delivered: 'success',
  relayed: 'relayed',
  expanded: 'expanded',
  undeliverable: 'doubleBounce',
} as const satisfies Record<NoticeKind, keyof Settings['notices']>

export function openNotices(
  { world, settings }: HouseOptions,
  { transit, ...rooms }: Pick<NoticesOptions, 'directory' | 'identify'> & { transit: Transit },
): Notices {
  return new Notices({
    ...rooms,
    clock: world.clock,
    hostname: () => settings().hostname,
    led: address => transit.led(address),
    settings: () => noticeSettings(settings()),
  })
}

function noticeSettings({ notices }: Settings): NoticeSettings {
  const { from, opening, closing, language, returnUpTo, undeliverable } = notices
  const kinds = Object.entries(WRITTEN).map(([kind, written]): [string, NoticeText] => [
    kind,
    { ...englishTexts.kinds[kind as NoticeKind], ...notices[written] },
  ])
  const texts = {
    from: from ?? englishTexts.from,
    opening: opening ?? englishTexts.opening,
    closing: closing ?? englishTexts.closing,
    language,
    kinds: Object.fromEntries(kinds) as Record<NoticeKind, NoticeText>,
  }
  return { texts, fullMaxOctets: returnUpTo, undeliverable }
}
