// `npm run bench:time-left`: what `npm run bench time-left` looked at last, judged by the estimate as it is now.
import { judgeAgain } from './time-left-looks.ts';

await judgeAgain();
