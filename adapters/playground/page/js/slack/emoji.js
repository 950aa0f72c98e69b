// The emoji names that a bot is likely to use; any other stays as it was written.

const EMOJI = {
  alarm_clock: "⏰", arrow_forward: "▶️", arrow_left: "⬅️", arrow_right: "➡️", ballot_box_with_check: "☑️", bar_chart: "📊", bell: "🔔",
  no_bell: "🔕", bulb: "💡", bust_in_silhouette: "👤", busts_in_silhouette: "👥", calendar: "📆", clipboard: "📋", clock9: "🕘",
  construction: "🚧", double_vertical_bar: "⏸️", email: "✉️", envelope: "✉️", exclamation: "❗", eyes: "👀", fire: "🔥", gear: "⚙️",
  grey_question: "❔", hand: "✋", heavy_check_mark: "✔️", hourglass: "⌛", hourglass_flowing_sand: "⏳", house: "🏠", inbox_tray: "📥",
  information_source: "ℹ️", key: "🔑", large_blue_circle: "🔵", large_green_circle: "🟢", large_yellow_circle: "🟡", link: "🔗", lock: "🔒",
  mag: "🔍", mailbox: "📫", memo: "📝", no_entry: "⛔", ok_hand: "👌", old_key: "🗝️", outbox_tray: "📤", pause_button: "⏸️", pencil: "📝",
  point_down: "👇", point_right: "👉", pushpin: "📌", question: "❓", raised_hands: "🙌", red_circle: "🔴", repeat: "🔁", rocket: "🚀",
  rotating_light: "🚨", shield: "🛡️", slightly_smiling_face: "🙂", smile: "😄", snooze: "💤", sos: "🆘", sparkles: "✨", speech_balloon: "💬",
  star: "⭐", stopwatch: "⏱️", tada: "🎉", thinking_face: "🤔", thumbsup: "👍", "+1": "👍", "-1": "👎", ticket: "🎫", unlock: "🔓", warning: "⚠️",
  wave: "👋", white_check_mark: "✅", white_circle: "⚪", white_large_square: "⬜", wink: "😉", wrench: "🔧", x: "❌", zap: "⚡", zzz: "💤",
};

export const emoji = (name) => EMOJI[name] ?? `:${name}:`;

/** Replace every `:name:` in plain text. */
export const withEmoji = (text) => text.replaceAll(/:([a-z0-9_+-]+):/g, (_, name) => emoji(name));
