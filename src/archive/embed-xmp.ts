import { escapeMarkup } from '../text/escape-markup.ts';

/**
 * What an image file says about itself outside of its archive. The URL of the input image is left out: it may grant
 * access.
 */
export type EmbeddedMetadata = {
  prompt: string;
  model: string;
  batch: string;
  item: string;
  name: string;
  variant: number;
  taskId: string;
};

const SOURCE = 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia';

/**
 * An XMP packet that photo tools can show: the prompt as description, the name as title, the model as creator tool, and
 * IPTC's source type for generated images. `fluxbatch:metadata` has the same data as JSON, for programs, since XML
 * cannot represent every character. `bare` leaves out the description: the JSON has the prompt as well.
 */
export function xmpPacket(metadata: EmbeddedMetadata, size: 'full' | 'bare'): Buffer {
  const description = size === 'full' ? languages('dc:description', metadata.prompt) : '';
  return Buffer.from(
    `<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:fluxbatch="urn:flux-batch:1"
 xmp:CreatorTool="${escaped(metadata.model)}"
 Iptc4xmpExt:DigitalSourceType="${SOURCE}"
 fluxbatch:metadata="${escaped(jsonOf(metadata))}">
${languages('dc:title', metadata.name)}${description}</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>`,
    'utf8',
  );
}

const languages = (element: string, text: string) =>
  `<${element}><rdf:Alt><rdf:li xml:lang="x-default">${escaped(text)}</rdf:li></rdf:Alt></${element}>\n`;

/** `JSON.stringify` escapes control characters and lone surrogates. XML does not allow these two characters either. */
function jsonOf(metadata: EmbeddedMetadata): string {
  return JSON.stringify(metadata).replace(/[\uFFFE\uFFFF]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 cannot represent these characters
const NOT_IN_XML = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g;

// A lone surrogate becomes U+FFFD when the text is encoded as UTF-8.
function escaped(text: string): string {
  return escapeMarkup(text.replace(NOT_IN_XML, '\uFFFD')).replaceAll('\r', '&#13;');
}
