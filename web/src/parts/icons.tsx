import SvgIcon, { type SvgIconProps } from '@mui/material/SvgIcon';

const icon = (path: string) => (props: SvgIconProps) => (
  <SvgIcon {...props}>
    <path d={path} fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" strokeLinejoin="round" />
  </SvgIcon>
);

export const RefreshIcon = icon('M19 12a7 7 0 1 1-2-5l2 2M19 4v5h-5');
export const CloseIcon = icon('M6 6l12 12M18 6L6 18');
export const AddIcon = icon('M12 5v14M5 12h14');
export const SendIcon = icon('M4 12h15M13 6l6 6-6 6');
