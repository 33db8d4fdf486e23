/** Whether the key was pressed with Control and nothing else. */
export function isControl(event: KeyboardEvent, key: string): boolean {
  const control = event.ctrlKey && !event.altKey && !event.metaKey && !event.shiftKey;
  return control && event.key.toLowerCase() === key;
}
