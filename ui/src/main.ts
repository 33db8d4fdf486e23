import { mount } from 'svelte';
import App from './App.svelte';
import { choosePlatform } from './lib/platform';
import './styles/tokens.css';
import './styles/base.css';

const query = new URLSearchParams(location.search);
const theme = query.get('theme');
if (theme === 'dark' || theme === 'light') document.documentElement.style.colorScheme = theme;

const platform = await choosePlatform(query);
const target = document.getElementById('app');
if (target) mount(App, { target, props: { platform } });
